import type { LoginRecord, LoginStore } from '#identity/logins'
import { pruneHistory } from './prune.ts'
import { readBody } from './row-body.ts'
import type { Database } from './schema.ts'
import { textKey } from './text-key.ts'

/** The history of logins. */
export function createLoginStore(db: Database): LoginStore {
  return {
    async append(login) {
      const row = {
        id: textKey(login.id),
        user_id: login.userId === undefined ? null : textKey(login.userId),
        started_at: Math.floor(login.at),
        body: JSON.stringify(login),
      }
      await db
        .insertInto('logins')
        .values(row)
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute()
    },
    async list(userId, { limit, offset }) {
      const ofUser = db.selectFrom('logins').where('user_id', '=', textKey(userId))
      const [rows, { total }] = await Promise.all([
        ofUser.select('body').orderBy('id', 'desc').limit(limit).offset(offset).execute(),
        ofUser.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow(),
      ])
      return { logins: rows.map(({ body }) => readBody('logins', body) as LoginRecord), total }
    },
    async prune(before, keep) {
      const tooMany = await db
        .selectFrom('logins')
        .select('started_at')
        .orderBy('id', 'desc')
        .offset(keep)
        .limit(1)
        .executeTakeFirst()
      return pruneHistory(db, 'logins', { before: Math.max(before, tooMany ? tooMany.started_at + 1 : before) })
    },
  }
}
