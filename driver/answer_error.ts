// SPDX-License-Identifier: MIT

/**
 * The error of a driver that breaks its own ABI.
 *
 * @module
 */

/** The driver gave an answer that its ABI rules out. No result of this device means anything then. */
export class AnswerError extends Error {
  /** Path of the device. */
  readonly path: string;

  /**
   * Describe an answer of the driver that cannot be.
   *
   * @param path Path of the device.
   * @param request Name of the request without its prefix.
   * @param expected What the ABI allows.
   * @param found What the driver answered.
   */
  constructor(path: string, request: string, expected: string, found: string) {
    super(
      `${path}: expected ${expected} from ${request}, found ${found}: this is a defect of the driver ` +
        "pldma.ko, so do not trust its results",
    );
    this.name = "AnswerError";
    this.path = path;
  }
}
