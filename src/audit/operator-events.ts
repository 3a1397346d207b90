import type { Clock } from '#platform/clock';
import type { Tx } from '#platform/postgres';
import { chainStart, operatorHash, type OperatorEvent } from './audit-event.ts';
import { insertOperatorEvent, listOperatorEvents, lockOperatorEvents } from './operator-event-store.ts';

/** Someone who may open the stores of the deployment: named after the account of the operating system. */
export type Operator = { readonly name: string };

export type OperatorAudit = {
  /** Writes the row of what an operator did, in the transaction of that change, which runs for no tenant. */
  record(
    tx: Tx,
    operator: Operator,
    action: string,
    parameters: Readonly<Record<string, string | number | boolean>>,
  ): Promise<void>;
};

export function createOperatorAudit({ clock }: { readonly clock: Clock }): OperatorAudit {
  return {
    async record(tx, operator, action, parameters) {
      await lockOperatorEvents(tx);
      const [last] = await listOperatorEvents(tx, 1);
      const event: OperatorEvent = {
        sequence: (last?.sequence ?? 0) + 1,
        recordedAt: clock.now(),
        action,
        operator: operator.name.slice(0, 200),
        parameters,
      };
      await insertOperatorEvent(tx, event, operatorHash(last?.hash ?? chainStart, event));
    },
  };
}
