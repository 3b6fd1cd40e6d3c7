/**
 * Text from a real server, a config or the network, made fit for a log line or a terminal: control characters
 * (C0, DEL, C1) and the Unicode line and direction controls become `\xNN` or `\u{NNNN}`; CR, LF and TAB `\r \n \t`.
 */
export function printable(text: string, maxLength = 500): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const unsafe = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  return cut.replace(unsafe, (c) => {
    const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[c]
    if (short !== undefined) return short
    const code = c.charCodeAt(0)
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}
