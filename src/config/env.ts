/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The process's environment. Nothing else in the program reads `process.env`. */
export function environment(): Environment {
  return { ...process.env }
}
