/** What is looked for, after RFC 4516. */
export interface Search {
  readonly base: string
  readonly scope: 'base' | 'one' | 'sub'
  readonly filter: string
  /** Empty: none, for only the entry's name is looked at. */
  readonly attributes: readonly string[]
}

const everything = '(objectClass=*)'

/**
 * A request without its slash: the name of an entry, taken as it stands, or the tail of an LDAP URL,
 * `base?attributes?scope?(filter)`. A name may hold question marks: without a scope or a filter in its place it is one.
 */
export function parseSearch(text: string): Search {
  const tail = /^(?<base>[^?]*)\?(?<attributes>[^?]*)\?(?<scope>base|one|sub)?(?:\?(?<filter>\(.*\))?)?$/s.exec(
    text,
  )?.groups
  const { base = '', attributes = '', scope, filter } = tail ?? {}
  if (scope === undefined && filter === undefined) {
    return { base: text, scope: 'base', filter: everything, attributes: [] }
  }
  return {
    base,
    scope: scope === 'one' || scope === 'sub' ? scope : 'base',
    filter: filter ?? everything,
    attributes: attributes.split(',').filter((name) => name !== ''),
  }
}
