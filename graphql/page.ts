/** A list in the Relay-like form that clients read: no cursor per edge, the next page by `endCursor`. */
export function page<Node>(nodes: readonly Node[], endCursor: string | null, cursor?: string | null) {
  return {
    edges: nodes.map((node) => ({ node })),
    pageInfo: {
      endCursor,
      hasNextPage: endCursor !== null,
      hasPreviousPage: Boolean(cursor),
      startCursor: cursor || null,
    },
  };
}
