import pino from 'pino';

/** Structured log: an event name in snake_case words and typed fields; durations carry their unit in the name. */
export type Log = {
  debug(event: string, fields?: Readonly<Record<string, unknown>>): void;
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
  /** A log whose lines all carry these fields (role, tenantId, traceId, jobId …). */
  with(fields: Readonly<Record<string, unknown>>): Log;
};

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const secretPaths = ['password', 'secret', 'token', 'apiKey', 'authorization', 'cookie'].flatMap((name) => [
  name,
  `*.${name}`,
]);

function wrap(logger: pino.Logger): Log {
  return {
    debug: (event, fields) => logger.debug({ ...fields, event }),
    info: (event, fields) => logger.info({ ...fields, event }),
    warn: (event, fields) => logger.warn({ ...fields, event }),
    error: (event, fields) => logger.error({ ...fields, event }),
    with: (fields) => wrap(logger.child(fields)),
  };
}

/** JSON lines on standard error; values under names such as `password` or `token` are never written. */
export function createLog(options: { readonly level: LogLevel; readonly role: string }): Log {
  const destination = pino.destination({ dest: 2, sync: true });
  return wrap(
    pino(
      {
        level: options.level,
        base: { role: options.role },
        redact: { paths: secretPaths, censor: '[hidden]' },
        serializers: { error: pino.stdSerializers.err },
        timestamp: pino.stdTimeFunctions.isoTime,
      },
      destination,
    ),
  );
}

/** For tests and for code that has nothing to say. */
export const silentLog: Log = wrap(pino({ level: 'silent' }));
