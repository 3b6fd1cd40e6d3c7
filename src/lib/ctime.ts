const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** A moment (milliseconds since 1970) as C's ctime() writes it, in local time: `Sat Nov  7 05:53:56 2026`. */
export function ctime(ms: number): string {
  const date = new Date(ms)
  const day = String(date.getDate()).padStart(2, ' ')
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':')
  return `${days[date.getDay()]} ${months[date.getMonth()]} ${day} ${time} ${date.getFullYear()}`
}
