/** `node sandbox-parent.ts <wall> <marker>`: starts a program behind the wall that never ends, and waits to be killed. */
import { spawnBehind } from '#platform/walls';
import { openWalls } from './sandboxes.ts';

const [kind, marker = ''] = process.argv.slice(2);
const { walls } = await openWalls({ kinds: kind === 'bubblewrap' || kind === 'unshare' ? [kind] : [] });
const child = spawnBehind(walls.wrap([walls.nodeInside, '-e', `console.log("up"); for (;;);`, marker]), '/');
child.stdout.once('data', () => process.stdout.write('up\n'));
