import { z } from 'zod'
import { text } from './scalars.ts'

/** Longer ones are wrong without being looked at. */
const password = z.string().max(1024)

export const loginRequest = z.strictObject({ username: text(256), password })
export const refreshRequest = z.strictObject({ refresh_token: text(1024) })

export const tokenAnswer = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  token_type: z.literal('bearer'),
  expires_in: z.int().describe('Seconds'),
})

export const sessionAnswer = z.object({
  csrf_token: z.string().describe('To be sent as X-CSRF-Token with every request that changes something'),
})

export const messageAnswer = z.object({ message: z.string() })

export const meAnswer = z.object({
  user_id: z.string(),
  username: z.string().nullable(),
  roles: z.array(z.string()),
  permissions: z.array(z.string()).describe('As they are written in the roles'),
})

export const permissionsAnswer = z.object({
  user_id: z.string(),
  permissions: z.record(z.string(), z.array(z.string())).describe('What is really allowed, by resource'),
})
