/**
 * The whole of ECharts in one minified file. Its module graph takes eight times as long to load (some 400 files, 400 ms
 * against 50 ms), time that an interrupted run does not have; the types are those of the entry that is made of parts.
 */
declare module "echarts/dist/echarts.esm.min" {
  export { init } from "echarts/core"
}
