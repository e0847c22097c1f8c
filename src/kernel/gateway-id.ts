import { uuidv7 } from './ids.ts'

/** This process among all gateways: what a gateway tells of itself, so that none becomes its own server. */
export const GATEWAY_ID: string = uuidv7()
