import { messageOf } from '../../lib/errors.ts'
import { printable } from '../../lib/printable.ts'
import type { Order } from './order.ts'

const version = 1
const longestField = 1000

/** The orders as the text of a state file. */
export function writeState(orders: readonly Order[]): string {
  return `${JSON.stringify({ version, orders }, undefined, 2)}\n`
}

/** The orders of a state file. Throws an Error that says what is wrong with the text. */
export function readState(text: string): readonly Order[] {
  const value = parse(text)
  if (!isRecord(value)) throw new Error('it is no JSON object')
  if (value['version'] !== version) throw new Error(`its version is ${shown(value['version'])}, not ${version}`)
  const orders = value['orders']
  if (!Array.isArray(orders)) throw new Error('it has no list of orders')
  return orders.map((order, index) => readOrder(order, index + 1))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`it is no JSON: ${printable(messageOf(error), 100)}`, { cause: error })
  }
}

function readOrder(value: unknown, at: number): Order {
  if (!isRecord(value)) throw new Error(`order ${at} is no object`)
  const wrong = (field: string): Error => new Error(`order ${at} has ${field}: ${shown(value[field])}`)
  const text = (field: string): string => {
    const found = value[field]
    if (typeof found !== 'string' || found.length > longestField) throw wrong(field)
    return printable(found, longestField)
  }
  const moment = (field: string): number | undefined => {
    const found = value[field]
    if (found !== undefined && !Number.isSafeInteger(found)) throw wrong(field)
    return found as number | undefined
  }
  const action = text('action')
  if (action !== 'drain' && action !== 'disable') throw wrong('action')
  const since = moment('since')
  if (since === undefined) throw wrong('since')
  return {
    virtual: text('virtual'),
    real: text('real'),
    action,
    reason: text('reason'),
    by: text('by'),
    since,
    until: moment('until'),
    drainedAt: moment('drainedAt'),
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shown(value: unknown): string {
  return printable(JSON.stringify(value) ?? 'nothing', 60)
}
