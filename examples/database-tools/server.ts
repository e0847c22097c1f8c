// An MCP server over stdio that offers one SQLite file as tools: node examples/database-tools/server.ts [FILE]
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { McpServer, type CallToolResult } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'
import { createSample, describeTable, execute, listTables, query } from './database.ts'

const FILE = resolve(process.argv[2] ?? process.env['DATABASE_FILE'] ?? join(tmpdir(), 'metamcp-sample.db'))
const READS = { readOnlyHint: true, idempotentHint: true, destructiveHint: false, openWorldHint: false }
const WRITES = { readOnlyHint: false, idempotentHint: false, destructiveHint: true, openWorldHint: false }

const cell = z.union([z.string(), z.number(), z.null()])
const row = z.record(z.string(), cell)
const sql = z.string().min(1).describe('One SQL statement of SQLite; put values into params, never into the text')
const params = z
  .array(z.union([z.string(), z.number(), z.boolean(), z.null()]))
  .default([])
  .describe('Values for the ? places, in order')

function createServer(): McpServer {
  const server = new McpServer({ name: 'database-tools', version: '1.0.0' })

  server.registerTool(
    'list_tables',
    {
      description: 'Lists the tables and views of the database with the number of rows in each',
      inputSchema: z.object({}),
      outputSchema: z.object({ tables: z.array(z.object({ name: z.string(), rows: z.number() })) }),
      annotations: { title: 'List tables', ...READS },
    },
    () => answer(() => ({ tables: listTables(FILE) })),
  )

  server.registerTool(
    'describe_table',
    {
      description:
        'Shows the columns of one table: name, type, whether it may be null, default, place in the primary key',
      inputSchema: z.object({ table: z.string().describe('Name of the table, as list_tables shows it') }),
      outputSchema: z.object({ table: z.string(), columns: z.array(row) }),
      annotations: { title: 'Describe table', ...READS },
    },
    ({ table }) => answer(() => ({ table, columns: describeTable(FILE, table) })),
  )

  server.registerTool(
    'query',
    {
      description: 'Reads rows with one SELECT statement. The connection is read-only: a statement that writes fails',
      inputSchema: z.object({
        sql,
        params,
        limit: z.number().int().min(1).max(1000).default(100).describe('At most this many rows'),
      }),
      outputSchema: z.object({ columns: z.array(z.string()), rows: z.array(row), truncated: z.boolean() }),
      annotations: { title: 'Query', ...READS },
    },
    ({ sql, params, limit }) => answer(() => ({ ...query(FILE, sql, params, limit) })),
  )

  server.registerTool(
    'execute',
    {
      description: 'Changes data or schema with one INSERT, UPDATE, DELETE, CREATE, … statement',
      inputSchema: z.object({ sql, params }),
      outputSchema: z.object({ changes: z.number(), last_id: z.number() }),
      annotations: { title: 'Execute', ...WRITES },
    },
    ({ sql, params }) => answer(() => execute(FILE, sql, params)),
  )
  return server
}

/** A failure of the statement is the tool's own: the model reads why and tries again. */
function answer(act: () => Record<string, unknown>): CallToolResult {
  try {
    const structuredContent = act()
    return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent }
  } catch (error) {
    return { content: [{ type: 'text', text: error instanceof Error ? error.message : String(error) }], isError: true }
  }
}

createSample(FILE)
serveStdio(createServer)
