/** A set of bytes: entry b is 1 when byte b is in it. Patterns match bytes, so every class is one of these. */
export type ByteSet = Uint8Array

export function bytes(...ranges: readonly (readonly [number, number] | number)[]): ByteSet {
  const set = new Uint8Array(256)
  for (const range of ranges) {
    const [from, to] = typeof range === 'number' ? [range, range] : range
    set.fill(1, Math.min(from, 256), Math.min(to + 1, 256))
  }
  return set
}

export function union(...sets: readonly ByteSet[]): ByteSet {
  return bytesWhere((b) => sets.some((set) => set[b] === 1))
}

export function complement(set: ByteSet): ByteSet {
  return bytesWhere((b) => set[b] !== 1)
}

export function areDisjoint(a: ByteSet, b: ByteSet): boolean {
  return !a.some((value, i) => value === 1 && b[i] === 1)
}

/** With the other case of every ASCII letter: Perl folds no other bytes where the text is bytes. */
export function folded(set: ByteSet): ByteSet {
  return bytesWhere((b) => set[b] === 1 || (isLetter(b) && set[b ^ 0x20] === 1))
}

export function bytesWhere(test: (b: number) => boolean): ByteSet {
  const set = new Uint8Array(256)
  for (let b = 0; b < 256; b++) if (test(b)) set[b] = 1
  return set
}

const isLetter = (b: number): boolean => (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a

const digit = bytes([0x30, 0x39])
const lower = bytes([0x61, 0x7a])
const upper = bytes([0x41, 0x5a])
const alpha = union(lower, upper)
const word = union(alpha, digit, bytes(0x5f))
const space = bytes([0x09, 0x0d], 0x20)
const graph = bytes([0x21, 0x7e])

/** What stands in `[:name:]` (perlrecharclass), ASCII as for bytes. */
export const posixClasses: ReadonlyMap<string, ByteSet> = new Map([
  ['alpha', alpha],
  ['digit', digit],
  ['alnum', union(alpha, digit)],
  ['upper', upper],
  ['lower', lower],
  ['punct', bytesWhere((b) => graph[b] === 1 && alpha[b] !== 1 && digit[b] !== 1)],
  ['space', space],
  ['blank', bytes(0x09, 0x20)],
  ['cntrl', bytes([0, 0x1f], 0x7f)],
  ['graph', graph],
  ['print', bytes([0x20, 0x7e])],
  ['xdigit', bytes([0x30, 0x39], [0x41, 0x46], [0x61, 0x66])],
  ['word', word],
  ['ascii', bytes([0, 0x7f])],
])

export const newline = bytes(0x0a)
export const notNewline = complement(newline)
export const anyByte = bytes([0, 0xff])
export const noByte = bytes()

const horizontal = bytes(0x09, 0x20, 0xa0)
export const vertical = bytes([0x0a, 0x0d], 0x85)

/** The classes a single letter stands for. */
export const letterClasses: ReadonlyMap<string, ByteSet> = new Map([
  ['d', digit],
  ['D', complement(digit)],
  ['w', word],
  ['W', complement(word)],
  ['s', space],
  ['S', complement(space)],
  ['h', horizontal],
  ['H', complement(horizontal)],
  ['v', vertical],
  ['V', complement(vertical)],
])

/** A Unicode property as far as bytes reach, which then count as Latin-1; undefined when there is no such property. */
export function propertySet(name: string): ByteSet | undefined {
  for (const known of [name, name.replace(/^(?:Is|Posix|XPosix)_?/i, '')]) {
    try {
      const property = new RegExp(`^\\p{${known}}$`, 'u')
      return bytesWhere((b) => property.test(String.fromCharCode(b)))
    } catch {}
  }
  return undefined
}

/** The set as the inside of a bracket class; `write` writes one byte. */
export function rangesOf(set: ByteSet, write: (b: number) => string): string {
  let text = ''
  for (let from = 0; from < 256; from++) {
    if (set[from] !== 1) continue
    let to = from
    while (to < 255 && set[to + 1] === 1) to++
    text += to === from ? write(from) : `${write(from)}-${write(to)}`
    from = to
  }
  return text
}
