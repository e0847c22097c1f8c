type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** The members that have a value: "absent" and "undefined" are one thing to a caller, two to a record. */
export function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>
}

/** A draft as a whole replacement: what it leaves away goes, instead of staying as it was. */
export function withAbsent<T extends object>(draft: T, optional: readonly (keyof T)[]): T {
  return { ...Object.fromEntries(optional.map((member) => [member, undefined])), ...draft }
}
