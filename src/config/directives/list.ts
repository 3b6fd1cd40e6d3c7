import type { Registry } from '../../check/registry.ts'
import type { Fields } from '../../lib/fields.ts'
import { checkFieldsOf, GLOBAL_CHECK_DIRECTIVE } from './check-fields.ts'
import type { ConfigField } from './directive.ts'
import { globalFields } from './global.ts'
import { virtualFields } from './virtual.ts'

/** A directive as the manual tells it. */
export interface ListedDirective {
  readonly name: string
  readonly scope: 'global' | 'virtual' | 'both'
  readonly doc: string
  /** The default; empty when there is none. */
  readonly fallback: string
  /** False: it is read and kept, without effect yet. */
  readonly actedOn: boolean
}

const OPENERS: Fields = {
  virtual: {
    doc: 'Opens a virtual section: ADDRESS:PORT or a firewall mark. Its directives follow, indented.',
    fallback: '',
    decode: (directive) => directive,
  },
  virtual6: {
    doc: 'Opens a virtual section for IPv6: [ADDRESS]:PORT or a firewall mark.',
    fallback: '',
    decode: (directive) => directive,
  },
}

/** Every directive a file may have, by name; docs/configuration.md is made from it. */
export function listDirectives(registry: Registry): readonly ListedDirective[] {
  const checkFields = checkFieldsOf(registry)
  const global: Fields = { ...OPENERS, ...globalFields }
  const section: Fields = { ...virtualFields, ...checkFields }
  const names = [...new Set([...Object.keys(global), ...Object.keys(section)])].sort()
  return names.flatMap((name) => {
    const field: ConfigField<unknown> | undefined = section[name] ?? global[name]
    if (field === undefined) return []
    const isGlobal = Object.hasOwn(global, name) || name === GLOBAL_CHECK_DIRECTIVE
    const scope = isGlobal ? (Object.hasOwn(section, name) ? 'both' : 'global') : 'virtual'
    return [{ name, scope, doc: field.doc, fallback: field.fallback, actedOn: field.notYet !== true }]
  })
}
