export { type BundleFile, bundleName, layOut, wallFiles } from './bundle.ts';
export { privateMemoryOf, processorTimeOf } from './process-usage.ts';
export type { Command } from './wall-commands.ts';
export { chooseWalls, handIn, spawnBehind, type WallReport, type Walls } from './walls.ts';
