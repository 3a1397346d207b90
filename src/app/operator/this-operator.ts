import { hostname, userInfo } from 'node:os';
import type { Operator } from '#audit';

/** Who runs the command: the account of the operating system on this host. */
export const thisOperator = (): Operator => ({ name: `${userInfo().username}@${hostname()}` });
