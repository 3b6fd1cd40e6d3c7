const password = /(\/\/[^\s/@":]*:)[^\s/@"]+@/g

/** The text with the password of each URL in it, as in `http://login:password@host/`, replaced by `(hidden)`. */
export function hideUrlPasswords(text: string): string {
  return text.replace(password, '$1(hidden)@')
}

/** Where the first password of a URL begins; undefined when there is none. */
export function urlPasswordAt(text: string): number | undefined {
  const at = text.search(password)
  return at === -1 ? undefined : text.indexOf(':', at) + 1
}
