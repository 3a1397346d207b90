export const alarmTypes = ['SOURCE_NO_DATA'] as const;
export type AlarmType = (typeof alarmTypes)[number];
export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** An alarm of a source, with what its state follows from. */
export type LogSourceAlarm = {
  readonly sourceId: string;
  readonly type: AlarmType;
  readonly minutesThreshold: number;
  readonly setAt: Date;
  /** When the source last sent something; null when it never did. */
  readonly lastReceivedAt: Date | null;
};

/** A source that never sent anything is given its whole time from when the alarm was set. */
export function stateOf({ minutesThreshold, setAt, lastReceivedAt }: LogSourceAlarm, now: Date): AlarmState {
  const silentMs = now.getTime() - (lastReceivedAt ?? setAt).getTime();
  if (silentMs > minutesThreshold * 60_000) return 'ALARM';
  return lastReceivedAt === null ? 'INSUFFICIENT_DATA' : 'OK';
}
