import { printable } from '../lib/printable.ts'
import type { Event } from '../model/events.ts'
import type { Line } from './sink.ts'

export interface JsonSpeaker {
  readonly instance: string
  readonly pid: number
}

/** Syslog takes 8 KiB a line: the plan of a large table does not fit. */
const mostFieldsLength = 3_500
const longestText = 4_000

/**
 * One event as one line: when (UTC), how bad, who, which kind, the words of the text log (its lines with line breaks
 * between), then what the event is made of. Secrets hide themselves; what servers say is made printable.
 */
export function jsonLine({ severity, text, at, event }: Line, { instance, pid }: JsonSpeaker): string {
  const kind = event?.kind ?? 'note'
  const head = { time: new Date(at).toISOString(), level: severity, pid, instance, event: kind, message: text }
  const fields = event === undefined ? [] : fieldsOf(event).filter(([name]) => !Object.hasOwn(head, name))
  const own = JSON.stringify(Object.fromEntries(fields), safely)
  const start = JSON.stringify(head, safely)
  if (fields.length === 0) return start
  return own.length > mostFieldsLength
    ? `${start.slice(0, -1)},"truncated":true}`
    : `${start.slice(0, -1)},${own.slice(1)}`
}

/** Without what the message says word for word. */
function fieldsOf(event: Event): [string, unknown][] {
  return Object.entries(event).filter(([name, value]) => {
    return name !== 'kind' && value !== undefined && !(name === 'text' && event.kind === 'note')
  })
}

/** Line breaks are the JSON's own business; everything else that moves a terminal is shown as text. */
function safely(_name: string, value: unknown): unknown {
  if (typeof value !== 'string') return value
  return value
    .split('\n')
    .map((line) => printable(line, longestText))
    .join('\n')
}
