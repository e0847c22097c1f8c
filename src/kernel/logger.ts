/** Facts of one event: `{ upstream, code, ms }`. */
export type LogFields = Readonly<Record<string, unknown>>

/** What rooms log through: a constant phrase, facts as fields. The program behind it is `telemetry`'s. */
export interface Logger {
  debug(fields: LogFields, phrase: string): void
  info(fields: LogFields, phrase: string): void
  warn(fields: LogFields, phrase: string): void
  error(fields: LogFields, phrase: string): void
}
