import { z } from 'zod';
import {
  type AlertComment,
  alertComment,
  alertComments,
  alertContextTags,
  alertOperations,
  contextTag,
  createAlertContextTag,
  deleteAlertContextTag,
  renameAlertContextTag,
  updateAlertComment,
} from '#alerts';
import { flag, limit, optionalText, requiredText } from './query.ts';
import { defineRoute, operationIn } from './route.ts';
import { actorOf, actorShape, listOf, pageOf, present, timestamp } from './shapes.ts';

const formats = z.enum(['PLAIN_TEXT', 'HTML']);

const commentShape = z.object({
  id: z.string(),
  alertId: z.string(),
  body: z.unknown(),
  format: formats,
  createdAt: timestamp,
  createdBy: actorShape,
  updatedAt: timestamp.optional(),
  updatedBy: actorShape.optional(),
});

const commentBody = (comment: AlertComment): z.input<typeof commentShape> => ({
  id: comment.id,
  alertId: comment.alertId,
  body: comment.body,
  format: comment.format,
  createdAt: comment.createdAt.toISOString(),
  createdBy: actorOf(comment.createdBy),
  ...present('updatedAt', comment.updatedAt?.toISOString()),
  ...present('updatedBy', comment.updatedBy && actorOf(comment.updatedBy)),
});

const commentInput = z.object({ alertId: z.string().max(200), body: z.string(), format: formats });

const createAlertComment = operationIn(alertOperations)('createAlertComment');

export const commentRoutes = [
  defineRoute({
    id: 'comment#list',
    method: 'GET',
    path: '/alert-comments',
    summary: 'Comments of one alert, oldest first.',
    operation: alertComments,
    query: {
      'alert-id': requiredText('The alert.'),
      cursor: optionalText('`next` of the page before.'),
      limit: limit({ usual: 25, max: 50 }),
    },
    answers: { 200: listOf(commentShape) },
    errors: [400],
    async handle({ query }, { actor, services }) {
      const input = { alertId: query['alert-id'], cursor: query.cursor, pageSize: query.limit };
      const { comments, endCursor } = await services.comments.list(actor, input);
      return pageOf(comments.map(commentBody), endCursor);
    },
  }),
  defineRoute({
    id: 'comment#create',
    method: 'POST',
    path: '/alert-comments',
    summary: 'Adds a comment to an alert.',
    operation: createAlertComment,
    body: commentInput,
    answers: { 200: commentShape },
    errors: [400, 404],
    handle: async ({ body }, { actor, services }) => ({
      status: 200,
      body: commentBody(await services.alerts.createComment(actor, body)),
    }),
  }),
  defineRoute({
    id: 'comment#get',
    method: 'GET',
    path: '/alert-comments/{id}',
    summary: 'One comment.',
    operation: alertComment,
    answers: { 200: commentShape },
    errors: [400, 404],
    handle: async ({ params }, { actor, services }) => ({
      status: 200,
      body: commentBody(await services.comments.get(actor, { id: params['id'] })),
    }),
  }),
  defineRoute({
    id: 'comment#update',
    method: 'POST',
    path: '/alert-comments/{id}',
    summary: 'Replaces the text of a comment.',
    operation: updateAlertComment,
    body: commentInput,
    answers: { 200: commentShape },
    errors: [400, 404],
    handle: async ({ params, body }, { actor, services }) => ({
      status: 200,
      body: commentBody(await services.comments.update(actor, { ...body, id: params['id'] })),
    }),
  }),
];

const tagShape = z.object({ tag: contextTag, category: z.string(), managed: z.boolean() });
const tagInput = z.object({ tag: contextTag });

export const contextTagRoutes = [
  defineRoute({
    id: 'contexttag#list',
    method: 'GET',
    path: '/alert-context-tags',
    summary: 'Tags that alerts can carry.',
    operation: alertContextTags,
    query: {
      cursor: optionalText('`next` of the page before.'),
      limit: limit({ usual: 2000, max: 2000 }),
      managed: flag('Only those that came with the product, or only your own.'),
    },
    answers: { 200: listOf(tagShape) },
    errors: [400],
    async handle({ query }, { actor, services }) {
      const input = { cursor: query.cursor, pageSize: query.limit, managed: query.managed };
      const { tags, endCursor } = await services.contextTags.list(actor, input);
      return pageOf(tags, endCursor);
    },
  }),
  defineRoute({
    id: 'contexttag#create',
    method: 'POST',
    path: '/alert-context-tags',
    summary: 'Adds a tag.',
    operation: createAlertContextTag,
    body: tagInput,
    answers: { 201: null },
    errors: [400, 409],
    async handle({ body }, { actor, services }) {
      await services.contextTags.create(actor, body);
      return { status: 201 };
    },
  }),
  defineRoute({
    id: 'contexttag#update',
    method: 'PATCH',
    path: '/alert-context-tags/{tag}',
    summary: 'Renames a tag, also on the alerts that carry it.',
    operation: renameAlertContextTag,
    body: tagInput,
    answers: { 204: null },
    errors: [400, 404, 409],
    async handle({ params, body }, { actor, services }) {
      await services.contextTags.rename(actor, { tag: params['tag'], to: body.tag });
      return { status: 204 };
    },
  }),
  defineRoute({
    id: 'contexttag#delete',
    method: 'DELETE',
    path: '/alert-context-tags/{tag}',
    summary: 'Removes a tag, also from the alerts that carry it.',
    operation: deleteAlertContextTag,
    answers: { 204: null },
    errors: [400],
    async handle({ params }, { actor, services }) {
      await services.contextTags.delete(actor, { tag: params['tag'] });
      return { status: 204 };
    },
  }),
];
