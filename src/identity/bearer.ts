/** The credential of an `Authorization: Bearer …`; undefined for no header, or for one of another kind (RFC 6750, 2.1). */
export function bearerOf(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : /^Bearer +([^\s]+)$/i.exec(authorization)?.[1]
}
