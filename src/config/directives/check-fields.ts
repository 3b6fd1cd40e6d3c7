import * as declared from '../../check/fields.ts'
import type { Registry } from '../../check/registry.ts'
import type { Field } from '../../lib/fields.ts'
import type { ConfigField } from './directive.ts'

/** Directives that concern checks only; one that no registered check uses is read, kept and said to be without effect. */
const CHECK_DIRECTIVES: Readonly<Record<string, Field<unknown>>> = {
  request: declared.request,
  receive: declared.receive,
  httpmethod: declared.httpmethod,
  virtualhost: declared.virtualhost,
  login: declared.login,
  passwd: declared.passwd,
  database: declared.database,
  secret: declared.secret,
  checkcommand: declared.checkcommand,
  checkcount: declared.checkcount,
}

/** By name, the fields of every registered check, and the known ones that none of them declares yet. */
export function checkFieldsOf(registry: Registry): Readonly<Record<string, ConfigField<unknown>>> {
  const fields: Record<string, ConfigField<unknown>> = {}
  for (const [name, field] of Object.entries(CHECK_DIRECTIVES)) fields[name] = { ...field, notYet: true }
  for (const check of registry.all) Object.assign(fields, check.fields)
  return fields
}

/** The one check directive that the top level takes too. */
export const GLOBAL_CHECK_DIRECTIVE = 'checkcount'
