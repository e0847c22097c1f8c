import type { Sealer } from '#kernel/seal'
import type { Head } from './chain.ts'

/** Seals the ends of chains. A head that somebody else wrote, or that belongs to another tenant, does not open. */
export interface HeadSeal {
  seal(tenant: string, head: Head): string
  open(tenant: string, sealed: string): Head | undefined
}

export function createHeadSeal(sealer: Sealer): HeadSeal {
  return {
    seal: (tenant, { seq, hash }) => sealer.seal(purposeOf(tenant), JSON.stringify({ seq, hash })),
    open(tenant, sealed) {
      const text = sealer.open(purposeOf(tenant), sealed)
      return text === undefined ? undefined : (JSON.parse(text) as Head)
    },
  }
}

function purposeOf(tenant: string): string {
  return `audit head ${tenant}`
}
