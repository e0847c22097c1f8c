import { z } from 'zod'
import { page, pageInfo, text, timestamp } from './scalars.ts'

const members = {
  email: text(320).optional(),
  full_name: text(200).optional(),
  roles: z.array(text(64)).max(100),
  is_active: z.boolean(),
}

export const userRegistration = z.strictObject({
  ...members,
  username: text(256),
  password: z.string().max(1024).describe('12 to 128 characters'),
  roles: members.roles.default(['user']),
  is_active: members.is_active.default(true),
})

export const userChange = z
  .strictObject({
    ...members,
    email: text(320).nullable(),
    full_name: text(200).nullable(),
    password: z.string().max(1024),
  })
  .partial()

export const userParams = z.object({ id: text(256) })
export const userQuery = z.strictObject(page)

export const userBody = z.object({
  user_id: z.string(),
  username: z.string(),
  email: z.string().nullable(),
  full_name: z.string().nullable(),
  roles: z.array(z.string()),
  is_active: z.boolean(),
  created_at: timestamp,
  updated_at: timestamp,
})
export type UserBody = z.infer<typeof userBody>

export const userPage = z.object({ users: z.array(userBody), ...pageInfo })

export const loginPage = z.object({
  logins: z.array(
    z.object({
      outcome: z.enum(['success', 'wrong_password', 'unknown_user', 'inactive']),
      ip: z.string().nullable(),
      agent: z.string().nullable(),
      at: timestamp,
    }),
  ),
  ...pageInfo,
})
