// Who may import whom: design table, repeated in the README. One rule, `margay/layers`.
import path from 'node:path';

const base = ['platform', 'access'];
const stores = [...base, 'audit', 'lake', 'system-errors'];
const may = {
  platform: [],
  access: ['platform'],
  audit: base,
  lake: base,
  'system-errors': [...base, 'audit'],
  identity: stores,
  enrichment: stores,
  search: stores,
  alerts: stores,
  ingestion: [...stores, 'enrichment'],
  detections: [...stores, 'enrichment', 'search', 'alerts'],
  investigation: [...stores, 'alerts', 'search'],
  cloud: [...stores, 'detections', 'alerts'],
  cli: ['platform', 'detections', 'ingestion', 'search', 'enrichment'],
};
/** Parts of platform that hold data; the command line asks a running deployment instead. */
const dataParts = ['postgres', 'jobs', 'lake-client', 'objects', 'secrets'];
const domains = Object.keys(may).filter((room) => room !== 'cli');
for (const door of ['graphql', 'jobs', 'http']) may[door] = domains;
const free = new Set(['app', 'test', 'scripts']);

const roomOf = (file) => {
  const parts = file.split('/');
  return parts[0] === 'src' ? parts[1] : parts[0];
};

function problem(from, file, name) {
  if (name.startsWith('.')) {
    const inside = roomOf(path.posix.join(path.posix.dirname(file), name)) === from;
    return inside ? undefined : `A relative import stays inside ${from}: enter another room by "#room".`;
  }
  if (!name.startsWith('#')) return undefined;
  const to = name.slice(1).split('/')[0];
  if (to === from && !(from === 'platform' && name.split('/')[1] !== file.split('/')[2]))
    return `Inside ${from} import the file itself.`;
  if (from === 'cli' && to === 'platform' && dataParts.includes(name.split('/')[1]))
    return 'cli opens no store: ask the deployment through its API.';
  if (to === from || may[from]?.includes(to)) return undefined;
  const allowed = may[from]?.join(', ') || 'libraries';
  return `${from} may not import ${to}, only: ${allowed}. Move the code or hand the value in.`;
}

const create = (context) => {
  const file = path.relative(context.cwd, context.filename).split(path.sep).join('/');
  const from = roomOf(file);
  const check = ({ source }) => {
    if (typeof source?.value !== 'string' || free.has(from)) return;
    const message = problem(from, file, source.value);
    if (message) context.report({ node: source, message });
  };
  return {
    ImportDeclaration: check,
    ImportExpression: check,
    ExportNamedDeclaration: check,
    ExportAllDeclaration: check,
    TSImportType: (node) => check({ source: node.source ?? node.argument?.literal }),
  };
};

export default {
  meta: { name: 'margay' },
  rules: { layers: { meta: { type: 'problem', schema: [] }, create } },
};
