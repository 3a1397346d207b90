import type { LogTypeAccess } from '#access';

/** Conditions joined by AND; values are bound as they are added. */
export function newConditions(tenantId: string) {
  const values: unknown[] = [tenantId];
  const texts = ['tenant_id = $1'];
  return {
    values,
    text: () => texts.join(' AND '),
    bind: (value: unknown): string => `$${values.push(value)}`,
    add: (text: string) => void texts.push(text),
    /** Adds the condition when there is a value; an empty list is no filter. */
    addIf<Value>(value: Value | null | undefined, condition: (place: string) => string) {
      if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return;
      texts.push(condition(`$${values.push(value)}`));
    },
  };
}

export type Conditions = ReturnType<typeof newConditions>;

/** An alert is read by who may read all its log types: its events are of all of them. */
export function addAccess({ add, bind }: Conditions, access: LogTypeAccess): void {
  switch (access.kind) {
    case 'ALLOW_ALL':
      return;
    case 'DENY_ALL':
      return add("log_types = '{}'");
    case 'ALLOW':
      return add(`log_types <@ ${bind([...access.logTypes])}::text[]`);
    case 'DENY':
      return add(`NOT (log_types && ${bind([...access.logTypes])}::text[])`);
  }
}
