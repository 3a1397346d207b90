import { expect, test } from 'vitest';
import { anchorsOf, linksOf, snippetsOf } from './markdown.ts';

const page = `# Send logs, now

See [the API](api.md#graphql) and \`[no](link.md)\`.

\`\`\`sh
curl x   # [no](snippet.md)
\`\`\`

## What \`it\` is

![picture](a.png "title")
`;

test('snippets have language, text and place', () => {
  expect(snippetsOf(page)).toEqual([{ language: 'sh', text: 'curl x   # [no](snippet.md)', line: 5 }]);
});

test('links are those outside of code', () => {
  expect(linksOf(page)).toEqual(['api.md#graphql', 'a.png']);
});

test('anchors are the headings as links name them', () => {
  expect([...anchorsOf(page)]).toEqual(['send-logs-now', 'what-it-is']);
});
