import { hasRedisServer, startRedisServer } from './redis-server.ts'

/** A Redis for a test. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string
}

const GIVEN = process.env['META_MCP_TEST_REDIS_URL']

/** Whether `testRedis` can answer one; for `describe.skipIf`. Tests that end theirs ask `hasRedisServer`. */
export function hasRedis(): boolean {
  return GIVEN !== undefined || hasRedisServer()
}

/** The server at META_MCP_TEST_REDIS_URL, else one of its own. */
export async function testRedis(): Promise<TestRedis> {
  return GIVEN === undefined ? startRedisServer() : { url: GIVEN, [Symbol.asyncDispose]: async () => {} }
}
