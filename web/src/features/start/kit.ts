// Whether the person at this browser said that the recovery kit is kept. The master cannot know.
const KEY = 'backupx.kit'

export function kitIsKept(): boolean {
  try {
    return localStorage.getItem(KEY) === 'kept'
  } catch {
    // A browser that keeps nothing asks again.
    return false
  }
}

export function noteKit(): void {
  try {
    localStorage.setItem(KEY, 'kept')
  } catch {
    // It is asked again next time.
  }
}
