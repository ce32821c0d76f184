// The dialog that brings questions in. The Desk loads it when it needs it: memora.stages.import_questions (stages/import_open.js).
import { ImportDialog } from "./stages/import";

frappe.provide("memora.stages");
memora.stages.import_loaded = (options) => new ImportDialog(options).show();
