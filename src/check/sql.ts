import { bracketed } from '../model/service.ts'
import { type CheckResult, down } from '../model/verdict.ts'
import type { Request } from './fields.ts'

/** The query: a request always begins with a slash, put there by the config where the file has none. */
export function queryOf(request: Request): string {
  return request.text.slice(1)
}

/** Without a login or a query there is nothing to ask. The words are Perl ldirectord's, which it logs at every check (behaviour reference 3.7). */
export function incomplete(address: string, login: string, sql: string): CheckResult | undefined {
  if (login !== '' && sql !== '') return undefined
  const what = 'Error: Must specify a login and request string for MySQL, Oracle and PostgreSQL checks.'
  return down('protocol', `${what} Not adding ${bracketed(address)}.`)
}
