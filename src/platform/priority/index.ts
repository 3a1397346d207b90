export { lowerSession } from './session-priority.ts';
