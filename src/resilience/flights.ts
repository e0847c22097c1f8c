import { AppError } from '#kernel/errors'
import { Flight } from './flight.ts'

/** The flights that are under way, at most one a key that newcomers may board. */
export interface Flights<T, W> extends Disposable {
  of(key: string): Flight<T, W> | undefined
  /** From now on the one of this key, until it ends or nobody waits for it any more. */
  begin(key: string, isBackground: boolean): Flight<T, W>
  end(key: string, flight: Flight<T, W>): void
  /** What these bring may not be kept. */
  doom(isSelected: (key: string) => boolean): void
}

const STOPPING = new AppError('unavailable', 'The gateway is stopping')

export function createFlights<T, W>(): Flights<T, W> {
  const flights = new Map<string, Flight<T, W>>()
  const end = (key: string, flight: Flight<T, W>): void => {
    if (flights.get(key) === flight) flights.delete(key)
  }
  return {
    of: (key) => flights.get(key),
    begin(key, isBackground) {
      const flight = new Flight<T, W>(isBackground)
      flights.set(key, flight)
      flight.signal.addEventListener('abort', () => end(key, flight))
      return flight
    },
    end,
    doom(isSelected) {
      for (const [key, flight] of flights) if (isSelected(key)) flight.isDoomed = true
    },
    [Symbol.dispose]() {
      for (const flight of flights.values()) flight.signal.abort(STOPPING)
    },
  }
}
