import { defineConfig } from 'prisma/config';

// `prisma generate` looks for an engine binary that it never runs; any existing file keeps it from downloading one.
if (process.argv.includes('generate')) process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath;

export default defineConfig({ schema: 'prisma', datasource: { url: 'postgresql://unused' } });
