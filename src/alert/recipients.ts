/** A mailbox, and the name that stands beside it. */
export interface Mailbox {
  readonly name: string
  readonly address: string
}

/**
 * The mailboxes of `emailalert`: between commas or blanks, or between commas alone where one has a name
 * (`Night shift <noc@example.com>`). What cannot be an address is left out.
 */
export function recipientsOf(text: string): readonly Mailbox[] {
  const words = text.includes('<') ? text.split(',') : text.split(/[\s,;]+/)
  return words.flatMap((word) => mailboxOf(word) ?? [])
}

/** `name <address>` or an address alone; undefined when there is no address in it. */
export function mailboxOf(text: string): Mailbox | undefined {
  const trimmed = text.trim()
  const named = /^(?<name>[^<>]*)<(?<address>[^<>]*)>$/.exec(trimmed)?.groups
  const address = (named?.['address'] ?? trimmed).trim()
  if (!isAddress(address)) return undefined
  const name = (named?.['name'] ?? '').trim()
  return { name: /^"(.*)"$/.exec(name)?.[1] ?? name, address }
}

/** No blank, no control character, nothing that ends an SMTP path or begins an option; `root` alone is one too. */
function isAddress(text: string): boolean {
  return /^[^\s<>(),:;"\\\p{Cc}-][^\s<>(),:;"\\\p{Cc}]*$/u.test(text) && text.length <= 320
}
