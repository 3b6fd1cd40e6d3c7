import { UsageError } from '../lib/errors.ts'

const units: readonly (readonly [name: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
]

/** `3d2h`, `5m10s`, `0s`: the two largest units that there are. */
export function formatAge(ms: number): string {
  let rest = Math.max(0, Math.floor(ms / 1000)) * 1000
  const parts: string[] = []
  for (const [name, size] of units) {
    const count = Math.floor(rest / size)
    rest -= count * size
    if (count > 0 || parts.length > 0) parts.push(count > 0 ? `${count}${name}` : '')
  }
  return parts.slice(0, 2).join('') || '0s'
}

/** A moment as the log tells it, by the clock on this machine's wall: `2026-11-21 12:00:00`. Takes ISO 8601. */
export function localTime(at: string): string {
  return new Date(at).toLocaleString('sv')
}

/** A year: what is meant to last longer is meant for ever. */
const longestMs = 366 * 86_400_000

/** `90s`, `15m`, `2h`, `1d`, `1h30m`, or seconds as a plain number. Throws UsageError. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/([0-9]{1,9})([smhd]?)/g)]
  const isWhole = parts.map((part) => part[0]).join('') === text && text !== ''
  const isPlain = parts.length === 1 || parts.every((part) => part[2] !== '')
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * sizeOf(unit), 0)
  if (!isWhole || !isPlain || ms === 0 || ms > longestMs) {
    throw new UsageError('a duration is written 90s, 15m, 2h, 1h30m or 1d, and is at most a year')
  }
  return ms
}

function sizeOf(unit: string | undefined): number {
  return units.find(([name]) => name === unit)?.[1] ?? 1000
}
