app_name = "memora"
app_title = "Memora"
app_publisher = "The memora maintainers"
app_description = "Publishes a curriculum kept in Frappe Desk as static JSON on a CDN"
app_license = "mit"
export_python_type_annotations = True
