import { AppError } from '#kernel/errors'
import { isJsonObject } from '#kernel/json'
import type { CallResult, Dispatch, Interceptor, RoutedCall } from '../call.ts'
import type { ArgumentSchemas } from '../argument-schemas.ts'

/**
 * Checks arguments against the schema that the catalog showed, where nobody behind us would: plain HTTP APIs, and the REST
 * surface, which promises 422 before anything is sent. An MCP server judges its own MCP callers, in its own words.
 */
export function createValidateArguments(schemas: ArgumentSchemas): Interceptor {
  return function validateArguments(call, next) {
    return isOurs(call) ? validated(schemas, call, next) : next(call)
  }
}

async function validated(schemas: ArgumentSchemas, call: RoutedCall, next: Dispatch): Promise<CallResult> {
  const { arguments: args = {} } = call.params
  if (!isJsonObject(args)) throw new AppError('validation_error', `The arguments of ${call.name} must be an object`)
  const schemaText = call.target.tool?.inputSchemaText
  const problems = schemaText === undefined ? [] : schemas.check(schemaText, args)
  if (problems.length > 0) {
    throw new AppError('validation_error', `Invalid arguments for ${call.name}: ${problems.join('; ')}`, {
      details: { problems },
    })
  }
  return next(call)
}

function isOurs({ surface, target }: RoutedCall): boolean {
  return surface === 'rest' || target.tool?.kind === 'http'
}
