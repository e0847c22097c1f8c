import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { createJsonSchemaTransform } from 'fastify-type-provider-zod'

const DESCRIPTION = 'One endpoint for all the tools of your AI agents. MCP clients connect to /mcp.'

/** Describes the routes that are declared after this, and shows the description at /docs. */
export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'MetaMCP', version, description: DESCRIPTION } },
    transform: createJsonSchemaTransform({ zodToJsonConfig: { target: 'draft-2020-12' } }),
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: "default-src 'self'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
  })
}
