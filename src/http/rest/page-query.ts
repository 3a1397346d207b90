import { limit, optionalText } from './query.ts';

/** Parameters of lists of content. */
export const pageQuery = {
  cursor: optionalText('`next` of the page before.'),
  limit: limit({ usual: 100, max: 1000 }),
};
