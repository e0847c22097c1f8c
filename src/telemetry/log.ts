import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino'
import { isColorSupported, prettyFactory } from 'pino-pretty'
import type { LogLevel } from '#config/config'
import type { Logger } from '#kernel/logger'
import { redactFields } from './redact.ts'
import { standardError, type LineSink } from './standard-error.ts'

export interface LogOptions {
  readonly level: LogLevel
  /** Lines for people instead of JSON: for a terminal. */
  readonly pretty: boolean
  /** Standard error when absent. */
  readonly destination?: DestinationStream
}

/** The program's log. */
export interface Log {
  /** The logger of a room; the same one each time. */
  logger(room: string): Logger
  level(): LogLevel
  /** Takes effect at once, for loggers that were given out before as well. */
  setLevel(level: LogLevel): void
  /** Lines that were lost because nobody read them. */
  linesLost(): number
}

const PINO_LEVELS = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' } as const

/** JSON lines with level, RFC 3339 time, room and fields; secrets are removed here and nowhere else. */
export function createLogger(options: LogOptions): Log {
  const destination: LineSink = options.destination ? given(options.destination) : standardError()
  let { level } = options
  const root = pino(
    {
      level: 'debug',
      base: {},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redactFields },
      serializers: { err: (error: unknown) => error },
    },
    options.pretty ? prettified(destination, !options.destination && isColorSupported) : destination,
  )
  const rooms = new Map<string, PinoLogger>()
  return {
    linesLost: destination.lost,
    logger(room) {
      const logger = rooms.get(room) ?? root.child({ room }, { level: PINO_LEVELS[level] })
      rooms.set(room, logger)
      return logger
    },
    level: () => level,
    setLevel(next) {
      level = next
      for (const logger of rooms.values()) logger.level = PINO_LEVELS[level]
    },
  }
}

function given(destination: DestinationStream): LineSink {
  return { write: (line) => destination.write(line), lost: () => 0 }
}

/** Runs in this thread: a worker would lose the last lines of a crash. */
function prettified(destination: DestinationStream, colorize: boolean): DestinationStream {
  const prettify = prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'room',
    messageFormat: '{room}: {msg}',
    singleLine: true,
  })
  return { write: (line) => destination.write(prettify(line)) }
}
