import type { RealKey } from '../config/model.ts'
import type { Operator } from '../control/operator/operator.ts'
import { RequestError } from './http.ts'

/** The real servers a text means. Throws RequestError: 404 or 409, with what there is to choose from. */
export function select(operator: Operator, text: string | undefined, all: boolean): readonly RealKey[] {
  if (text === undefined || text === '') throw new RequestError('say which real server: real')
  const selected = operator.select(text, { all })
  if (!('kind' in selected)) return selected
  const status = selected.kind === 'unknown' ? 404 : 409
  throw new RequestError(selected.message, { status, detail: { choices: selected.choices } })
}
