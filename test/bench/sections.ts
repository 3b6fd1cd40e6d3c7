const first = '<!-- checks: this part is written by npm run bench -- checks -->'
const last = '<!-- checks: end -->'

/** The part of the page that `npm run bench -- checks` writes, with its marks; empty where there is none. */
export function checksSectionOf(page: string): string {
  const from = page.indexOf(first)
  const to = page.indexOf(last, from)
  return from < 0 || to < 0 ? '' : page.slice(from, to + last.length)
}

/** The page with another text in that part, which stands at the end where the page had none. All else stays. */
export function withChecksSection(page: string, text: string): string {
  const marked = `${first}\n${text.trim()}\n\n${last}`
  const old = checksSectionOf(page)
  return old === '' ? `${page.trimEnd()}\n\n${marked}\n` : page.replace(old, () => marked)
}

/** A page that was written anew, with the part that an older one had. */
export function keepChecksSection(page: string, older: string): string {
  const section = checksSectionOf(older)
  return section === '' ? page : `${page.trimEnd()}\n\n${section}\n`
}
