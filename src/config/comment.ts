/**
 * Where the comment of a section's line begins, or its length when it has none. Perl ldirectord cuts at the first `#`
 * even inside quotes (behaviour reference 2.1), which then is an error; here such a `#` is kept (its 7.3). It counts
 * as quoted only where Perl's reading could not have loaded as it reads: in the first quoted text of a value that
 * begins with a quote, and in the quoted pair of a `real` line.
 */
export function commentStart(line: string): number {
  const value = /^\s*[\w-]+\s*=\s*/.exec(line)
  if (value === null) return hashOrEnd(line, 0)
  const isReal = /^\s*real6?\s*=/.test(line)
  const start = value[0].length
  if (!isReal && line[start] !== '"') return hashOrEnd(line, 0)
  let quotes = 0
  for (let i = start; i < line.length; i++) {
    if (line[i] === '"') quotes++
    if (line[i] !== '#') continue
    const isInside = isReal ? quotes % 2 === 1 : quotes === 1
    if (!isInside || !line.includes('"', i)) return i
  }
  return line.length
}

function hashOrEnd(line: string, from: number): number {
  const index = line.indexOf('#', from)
  return index === -1 ? line.length : index
}
