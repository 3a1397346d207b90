import type { FunctionDefinition, Functions } from '../functions/call.ts';
import { arrayJoin } from './array-join.ts';
import { aggregatesOf } from './functions/aggregates.ts';
import { arraysOf } from './functions/arrays.ts';
import { jsonOf } from './functions/json.ts';
import { textsOf } from './functions/texts.ts';
import { timesOf } from './functions/times.ts';
import { valuesOf } from './functions/values.ts';

export { withCondition } from './functions/aggregates.ts';

/** Functions by the names that ClickHouse gives them. Those that only have another name are the ones of `snowflake`. */
export function clickhouseFunctions(snowflake: Functions): Readonly<Record<string, FunctionDefinition>> {
  const all = {
    ...aggregatesOf(snowflake),
    ...timesOf(snowflake),
    ...textsOf(snowflake),
    ...arraysOf(snowflake),
    ...jsonOf(snowflake),
    ...valuesOf(snowflake),
    arrayJoin,
  };
  return Object.fromEntries(
    Object.entries(all).map(([name, definition]) => {
      if (definition === undefined) throw new Error(`${name} stands for a function that is not there.`);
      return [name, definition] as const;
    }),
  );
}
