import type { HealthSource } from './health-source.ts'

const LIMIT_MS = 1500

/** Whether the storage answers, and soon enough to be of use. */
export async function storageWorks(health: HealthSource): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => late.resolve(false), LIMIT_MS)
  try {
    return await Promise.race([health.checkStorage().then(() => true), late.promise])
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}
