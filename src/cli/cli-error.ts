/** A command failed for a reason that the user can act on: the message is one plain sentence. */
export class CliError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CliError'
  }
}
