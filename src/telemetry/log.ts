import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino'
import { isColorSupported, prettyFactory } from 'pino-pretty'
import type { LogLevel } from '#config/config'
import type { Logger } from '#kernel/logger'
import { redactFields } from './redact.ts'

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
  /** Resolves when nothing is left to write. */
  flush(): Promise<void>
}

const PINO_LEVELS = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error' } as const
const STDERR = 2
const FLUSH_MS_MAX = 1000

/** JSON lines with level, RFC 3339 time, room and fields; secrets are removed here and nowhere else. */
export function createLogger(options: LogOptions): Log {
  const { destination, flush } = options.destination ? given(options.destination) : standardError()
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
    flush,
  }
}

interface Sink {
  readonly destination: DestinationStream
  readonly flush: () => Promise<void>
}

function given(destination: DestinationStream): Sink {
  return { destination, flush: () => Promise.resolve() }
}

function standardError(): Sink {
  const destination = pino.destination({ fd: STDERR, sync: false })
  const flush = () =>
    new Promise<void>((resolve) => {
      // A reader that has stopped reading must not hold up the end of the process.
      setTimeout(resolve, FLUSH_MS_MAX).unref()
      destination.flush(() => resolve())
    })
  return { destination, flush }
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
