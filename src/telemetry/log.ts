import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

export interface LogSettings {
  readonly level: string;
  readonly format: 'auto' | 'json' | 'pretty';
}

/** A structured log on standard error; standard output is for data. Message texts and tokens are never given to it. */
export function createLog(settings: LogSettings): Logger {
  const isPretty =
    settings.format === 'pretty' || (settings.format === 'auto' && process.stderr.isTTY === true);
  const options = { level: settings.level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!isPretty) return pino(options, pino.destination({ dest: 2, sync: false }));
  return pino(
    options,
    pretty({ destination: 2, sync: true, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' }),
  );
}
