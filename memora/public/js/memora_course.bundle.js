// The course page, loaded by it alone: memora/memora/page/memora_course.
import { CoursePage } from "./course/page";

frappe.provide("memora.course");
memora.course.CoursePage = CoursePage;
